"""The deployment on this machine: what its engine takes, and the file that says where everything of it is."""

from __future__ import annotations

from .places import own_folder, user_folder

REGION = "us-east-1"
ACCOUNT = "000000000000"
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
"""What the engines take, with every right. Never the caller's own: nothing here may ever reach AWS."""

FILE = "local-stack.json"
DESCRIPTION = own_folder() / FILE
"""Where `wr` looks for a running stack: in a checkout for its own."""
ANNOUNCED = (DESCRIPTION, user_folder() / FILE)
"""Where a stack describes itself: also for a `wr` outside of any checkout, which sees the one that started last."""
