"""What `wr` looks into for an operator: the account before a sale, a deployment from outside, a draw."""
