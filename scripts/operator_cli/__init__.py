"""`wr`: the operator's command line, for a deployment on AWS and for the demo on this machine."""
