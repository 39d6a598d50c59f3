"""What other systems drop as files."""
