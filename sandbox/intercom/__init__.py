"""Intercom's workspace: contacts and conversations."""
