"""Commands: ``check`` and ``decode`` connect to a running server, ``compare`` and ``finish`` need none."""
