"""Who is let in, and when: one tick's decision, and what it must remember and foresee for that."""
