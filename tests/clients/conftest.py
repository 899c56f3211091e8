"""The suites in the subfolders run in the clients' own environments, never in ours."""

collect_ignore_glob = ["*/test_client.py"]
