"""What is kept of what happened: changes of places, sums of visits, operators' actions."""
