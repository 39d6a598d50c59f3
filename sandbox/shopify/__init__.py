"""Shopify's shop: records in time, searches, prices and pages of its GraphQL."""
