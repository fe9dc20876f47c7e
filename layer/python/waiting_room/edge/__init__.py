"""What runs at the edge and nowhere else: CloudFront events, generated answers and the fetched snapshot.

The edge bundle has no layer. It holds this package, `domain`, `tokens.py` and what they import.
"""
