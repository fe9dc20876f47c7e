"""The waiting page and its siblings as the server writes them."""
