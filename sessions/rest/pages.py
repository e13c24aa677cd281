"""What browsers may load for a page."""

POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "style-src 'self' 'unsafe-inline'",  # Bokeh sets styles from its scripts
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'self'",
    )
)
"""The browser itself refuses what would leave for another host."""
