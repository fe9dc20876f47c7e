"""What a sale was like: the archive's files and the minute rows, as questions, numbers, pictures and one page."""
