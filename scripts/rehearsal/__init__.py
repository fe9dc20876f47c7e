"""A rehearsal: realistic visitors on a real stack, over HTTP and WebSocket, and a verdict on what they met.

`engine` runs in a process of its own, for locust makes the whole process its own; `director` starts it, and knows the
operator's side. `visitor`, `verdict` and `safety` need neither.
"""
