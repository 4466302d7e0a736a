"""Phone numbers as connectors are given them (E.164), and as providers write them."""

import phonenumbers


def bad_number(address: str) -> str:
    """Why a phone number cannot be dialled and what would be right; `""` when it can (E.164)."""
    if not address.startswith("+"):
        return f"{address!r} is no E.164 number: begin with + and the country code, as in +32470123456"
    try:
        number = phonenumbers.parse(address, None)
    except phonenumbers.NumberParseException:
        return f"{address!r} is no phone number: write + and digits, as in +32470123456"
    if not phonenumbers.is_possible_number(number):
        return f"{address} is too short or too long for its country: check it digit by digit"
    if phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != address:
        return f"{address!r} is not in E.164: write it without spaces and signs, as in +32470123456"
    if not phonenumbers.is_valid_number(number):
        return f"{address} is in no range its country has given out: check it digit by digit"
    return ""


def e164(written: str, region: str) -> str:
    """A number as a provider writes it (`32450000001`, `0032450000001`, `0450 00 00 01`) in E.164; what is no number
    (a short code, a name) as it is. `region`: of numbers without a country code."""
    text = written.strip()
    for attempt in (text, f"+{text}") if text[:1].isdigit() else (text,):
        try:
            number = phonenumbers.parse(attempt, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return text
