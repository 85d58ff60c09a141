"""What third parties test their games and agents with: the conformance suite, goldens, a fake model server.

from arena.testing.conformance import check_game
check_game("./mygame")
"""
