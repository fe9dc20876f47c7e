"""HTTP without our routes: requests, responses, routing, validation, cookies, errors, guards."""
