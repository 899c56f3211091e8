"""Contract tests of any server against its document."""
