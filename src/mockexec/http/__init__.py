"""Framework-free parts of HTTP that the dialects pick from."""
