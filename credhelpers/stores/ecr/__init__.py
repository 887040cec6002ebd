"""Amazon ECR: tokens from GetAuthorizationToken, cached for the identity and region that they belong to."""
