"""How far the score can be trusted: scores with an uncertainty, and one threshold per uncertainty bucket."""
