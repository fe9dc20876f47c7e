"""What stands behind the ports: DynamoDB tables, S3, Secrets Manager, Lambda, the clock."""
