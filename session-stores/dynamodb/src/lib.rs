//! Sessions in Amazon DynamoDB and servers that speak its API.
