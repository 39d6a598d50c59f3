"""The receiver of webhooks: verified on the raw body, durable before it is answered, each event once."""
