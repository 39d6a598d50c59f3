"""The LINE account: friends, messages, audiences, insight, links."""
