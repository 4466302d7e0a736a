"""Radio pages as they are on the air (ITU-R M.584-2, "Radiopaging code No. 1"), made for a real decoder: bits,
codewords, batches, and the sound of a receiver's discriminator."""

import array
from collections.abc import Iterator, Sequence

RATE = 22_050  # samples a second, as multimon-ng takes them: 16 bits, signed, one channel
SYNC = 0x7CD215D8
IDLE = 0x7A89C197
PREAMBLE_BITS = 576
_GENERATOR = 0b11101101001  # x^10 + x^9 + x^8 + x^6 + x^5 + x^3 + 1
_FIGURES = "0123456789*U -)("


def codeword(data: int) -> int:
    """21 bits of data with their BCH(31,21) check bits and even parity."""
    remainder = data << 10
    for bit in range(30, 9, -1):
        if remainder >> bit & 1:
            remainder ^= _GENERATOR << (bit - 10)
    word = data << 10 | remainder
    return word << 1 | word.bit_count() & 1


def alpha(text: str) -> list[int]:
    """Characters of 7 bits, least significant bit first, in message codewords; the rest is NUL."""
    return _message([ord(c) >> bit & 1 for c in text for bit in range(7)], 0)


def numeric(text: str) -> list[int]:
    """Figures of 4 bits, least significant bit first; the rest is blanks."""
    bits = [_FIGURES.index(c) >> bit & 1 for c in text for bit in range(4)]
    while len(bits) % 20:
        bits += [0, 0, 1, 1]
    return _message(bits, 0)


def _message(bits: list[int], rest: int) -> list[int]:
    bits = bits + [rest] * (-len(bits) % 20)
    words = []
    for at in range(0, len(bits), 20):
        data = 1
        for bit in bits[at : at + 20]:
            data = data << 1 | bit
        words.append(codeword(data))
    return words


def page(address: int, function: int, message: Sequence[int] = ()) -> list[int]:
    """Codewords of whole batches of 8 frames: idle ones, the address in its own frame, the message, idle ones."""
    words = [IDLE] * (2 * (address & 7))
    words += [codeword((address >> 3) << 2 | function), *message, IDLE]
    return words + [IDLE] * (-len(words) % 16)


def transmission(*pages: Sequence[int]) -> Iterator[int]:
    """Bits: the preamble, then each batch behind its synchronisation codeword."""
    for n in range(PREAMBLE_BITS):
        yield 1 - n % 2
    words = [word for one in pages for word in one]
    for at in range(0, len(words), 16):
        for word in (SYNC, *words[at : at + 16]):
            for bit in range(31, -1, -1):
                yield word >> bit & 1


def sound(baud: int, *pages: Sequence[int], level: int = 12_000) -> bytes:
    """A transmission as samples: a 1 is the lower frequency. With silence around it."""
    samples = array.array("h", [0] * RATE)
    at = float(len(samples))
    for bit in transmission(*pages):
        at += RATE / baud
        samples.extend([-level if bit else level] * (round(at) - len(samples)))
    samples.extend([0] * RATE)
    return samples.tobytes()
