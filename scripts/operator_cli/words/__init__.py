"""How `wr` and the dashboard put things: moments, tables, what a change will do, who did what, a visitor's story."""
