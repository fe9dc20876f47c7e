"""A zone as its operator describes it: settings, schedule, protection, proof of work, and the phase they make."""
