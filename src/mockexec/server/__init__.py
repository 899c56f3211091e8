"""The server: documents compiled to plans once, then served by Connexion on uvicorn."""
