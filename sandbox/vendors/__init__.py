"""One module a vendor; a module found here is served under its own name."""
