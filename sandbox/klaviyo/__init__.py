"""Klaviyo's account: profiles, events, lists and segments."""
