"""Commands that connect to a running server: ``check`` and ``decode``."""
