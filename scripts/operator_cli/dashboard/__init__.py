"""`wr dashboard`: a page on this machine that shows every zone and changes one after a confirmation."""
