"""The outside world on loopback: servers that speak each vendor's protocol over invented or replayed data."""
