"""What tests of several folders share: worlds to act in, models to compare with, servers, tools."""
