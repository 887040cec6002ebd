"""What the tests share: real tools, throwaway keys and keyrings, and a client of the wire protocol."""
