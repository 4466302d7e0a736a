"""Who is in a group by what they are: the queries of `groups:` in config/people.yaml. Pure."""

from hub.model.people import Organisation, Person, Query


def meets(person: Person, query: Query, organisation: Organisation | None) -> bool:
    """Whether all that the query says holds of the person, by any of its values. `organisation`: the person's, where
    the directory knows it. A query that says nothing is met by nobody: a mistake must not reach everybody."""
    kind = organisation.kind if organisation is not None else ""
    communes = organisation.communes if organisation is not None else ()
    conditions = (
        (query.competences, person.competences),
        (query.disciplines, (person.discipline,)),
        (query.organisations, (person.organisation,)),
        (query.kinds, (kind,)),
        (query.languages, (person.language, *person.speaks)),
        (query.communes, communes),
    )
    said = [(wanted, found) for wanted, found in conditions if wanted]
    return bool(said) and all(any(value in found for value in wanted) for wanted, found in said)
