"""From a view and its ask to messages, and from a reply back to an answer. The words live in prompts/."""

from arena.prompt.block import answer_block
from arena.prompt.read import Reading, read_reply
from arena.prompt.render import messages, reask_message
from arena.prompt.shape import Shape, shape_of
from arena.prompt.wire import wire

__all__ = [
    "Reading",
    "Shape",
    "answer_block",
    "messages",
    "read_reply",
    "reask_message",
    "shape_of",
    "wire",
]
