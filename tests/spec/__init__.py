"""Tests of ``mockexec.spec``."""
