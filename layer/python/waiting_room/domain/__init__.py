"""Pure rules: no boto3, no environment, no clock."""
