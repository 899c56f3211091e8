"""Polos: every decision, through HTTP."""
