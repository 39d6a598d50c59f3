"""Zendesk's account: tickets, users, metrics, tokens."""
