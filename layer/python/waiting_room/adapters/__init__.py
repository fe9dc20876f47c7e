"""What stands behind the ports: DynamoDB tables, S3, SSM, Lambda, the clock."""
