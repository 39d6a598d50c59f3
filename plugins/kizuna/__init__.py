"""Kizuna: the customer data warehouse of a Japanese D2C brand, from vendor APIs to segments and back."""
