"""Three months of fourteen organisations, so that every screen and every state has something to show (OPS-1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from app import clock
from app.demo import folder
from app.demo.client import Client
from app.demo.companies import RESIDENT
from app.demo.credits import ordered_twice, refund_unanswered, waiting_for_a_second_person
from app.demo.desk import Officer, Point
from app.demo.life import left_and_lost, near_their_end
from app.demo.stage import Calendar, Story
from app.models import DocumentKind, PaymentMethod

OLD_EXTRACT = "L'extrait date de plus de trois mois : joindre un extrait récent."
UNSIGNED = "Le contrat n'est pas signé par toutes les personnes désignées."
DIFFERS = "La donnée déclarée diffère de celle de la pièce d'identité."
NOT_THE_PERSON = "Le demandeur n'est pas la personne désignée par l'organisation."


def registered(client: Client, at: Calendar, hour: int = 9) -> Story:
    """Sign-up and activation, the beginning of every story but two."""
    day = client.company.registered
    yield at.ago(day, hour, 12)
    client.sign_up()
    yield at.ago(day, hour, 47)
    client.activate()


def verified(client: Client, at: Calendar, officer: Officer) -> Story:
    """Registered, contract signed, and found in order two days later."""
    yield from registered(client, at)
    day = client.company.registered
    for number in range(1, client.company.administrators):
        yield at.ago(day - 1, 8, 40)
        client.activate(number)
    yield at.ago(day - 1, 11, 5)
    client.sign_contract()
    yield at.ago(day - 2, 9, 30)
    officer.take(client.organisation)
    yield at.ago(day - 2, 9, 52)
    officer.verify(client.organisation)


def demo(client: Client, at: Calendar, agent: Officer, other: Officer) -> Story:
    """The organisation of the demonstration accounts."""
    amira, _leila, karim, *staff = client.people
    yield from verified(client, at, agent)

    yield at.ago(76, 10, 15)
    first = client.order(karim, staff[0], staff[1])
    yield at.ago(75, 14, 20)
    client.validate(*first)
    yield at.ago(75, 16, 2)
    client.pay(*first)
    yield at.ago(73, 9, 10)
    agent.take(first[0])
    agent.approve(*first)
    yield at.ago(72, 11, 0)
    agent.record_certificate(*first)
    yield at.ago(71, 15, 30)
    agent.dispatch(*first)
    yield at.ago(68, 10, 0)
    agent.note_collection(*first[:2])

    yield at.ago(60, 9, 40)
    second = client.order(staff[2], staff[3], staff[4])
    yield at.ago(59, 17, 15)
    client.validate(*second[:2])
    yield at.ago(58, 10, 5)
    refused = client.start_payment(*second[:2])
    yield at.ago(58, 10, 11)
    client.gateway_says(refused, 6, action_code=116)
    yield at.ago(58, 10, 20)
    client.pay(*second[:2], method=PaymentMethod.EDINAR)
    yield at.ago(54, 9, 0)
    other.take(second[1])
    yield at.ago(54, 9, 25)
    other.reject(second[1], NOT_THE_PERSON)
    other.approve(second[0])
    yield at.ago(53, 14, 0)
    other.record_certificate(second[0])
    yield at.ago(52, 16, 10)
    other.dispatch(second[0])
    yield at.ago(50, 8, 30)
    client.withdraw(second[2], "Cette personne a quitté la société.")

    yield at.ago(14, 9, 5)
    third = client.order(staff[5], staff[6], karim)
    yield at.ago(13, 11, 45)
    client.validate(*third)
    yield at.ago(12, 10, 30)
    client.pay(*third)
    yield at.ago(11, 9, 15)
    agent.take(*third)
    agent.approve(third[0])
    yield at.ago(10, 15, 0)
    agent.record_certificate(third[0])
    agent.judge(third[1], Point("birth_date", DIFFERS))
    yield at.ago(10, 15, 40)
    agent.ask(
        third[2],
        Point(DocumentKind.APPLICANT_IDENTITY, "Joindre la copie lisible de la pièce d'identité."),
        Point("last_name_ar", "L'orthographe est à corriger."),
        message="Merci de compléter votre dossier : il est prêt par ailleurs.",
    )
    yield at.ago(9, 14, 10)
    client.order(staff[19], staff[20])  # never activated: their invitations ran out
    yield at.ago(8, 18, 20)
    client.answer_request(third[2])
    client.write(
        third[2],
        "Bonjour, j'ai joint la copie de ma pièce d'identité. L'orthographe arabe de mon nom est celle de la carte : "
        "que dois-je corriger ?",
    )
    yield at.ago(7, 9, 15)
    agent.note(
        third[2],
        "Nom arabe : comparer avec l'acte de naissance si le client l'envoie.",
        on=clock.local(at.present).date(),
    )

    yield at.ago(6, 10, 0)
    payable = client.order(staff[7], staff[8], staff[9])
    yield at.ago(5, 12, 0)
    client.validate(*payable)
    yield at.ago(4, 9, 30)
    client.fill_basket(*payable)
    abandoned = client.start_payment(*payable)
    yield at.ago(4, 9, 58)
    client.gateway_says(abandoned, 0)

    yield at.ago(3, 9, 20)
    unfinished = client.order(amira, staff[10], staff[11], staff[12], staff[13])
    yield at.ago(2, 10, 0)
    client.join(unfinished[2])
    client.report_error(unfinished[3], "Mon prénom s'écrit avec deux « m » sur ma carte.")
    yield at.ago(2, 11, 30)
    client.validate(unfinished[4])
    yield at.ago(1, 9, 45)
    client.pay(unfinished[4])
    client.write(
        client.organisation,
        "Bonjour, notre banque demande une attestation de paiement : la facture suffit-elle ? Je joins aussi notre "
        "extrait récent.",
        folder.fresh_extract(client.company, clock.today()),
    )
    yield at.ago(1, 16, 20)
    agent.answer(
        client.organisation,
        "Bonjour,\n\nLa facture acquittée vaut attestation de paiement. Vous la trouvez dans « Mes factures ».\n\n"
        "Sonia Ferjani, TunTrust",
    )
    yield at.hours_ago(6)
    agent.note(
        third[2], "Appeler l'administratrice : le demandeur n'a pas répondu à tout.", on=clock.local(at.present).date()
    )
    yield at.hours_ago(5)
    client.order(karim)
    yield at.hours_ago(3)
    client.draft(staff[14], staff[15])
    yield at.hours_ago(2)
    client.send_file(*staff[16:22], karim)


def eaux(client: Client, at: Calendar, agent: Officer) -> Story:
    """A public entity: two certificates left at their post office for more than ninety days, others to generate."""
    yield from verified(client, at, agent)
    staff = client.people[2:]
    yield at.ago(105, 8, 50)
    first = client.order(*staff[:6])
    yield at.ago(103, 15, 0)
    client.validate(*first)
    yield at.ago(102, 9, 0)
    client.pay(*first)
    yield at.ago(99, 10, 0)
    agent.approve(*first)
    yield at.ago(97, 10, 0)
    agent.record_certificate(*first)
    yield at.ago(96, 16, 0)
    agent.dispatch(*first)
    yield at.ago(92, 16, 0)
    agent.note_collection(*first[:4])
    yield at.ago(20, 10, 10)
    second = client.order(*staff[6:10])
    yield at.ago(19, 10, 40)
    client.validate(*second)
    yield at.ago(19, 16, 30)
    client.pay(*second, method=PaymentMethod.EDINAR)
    yield at.ago(15, 9, 0)
    agent.take(second[0])
    agent.approve(*second)
    yield at.ago(14, 9, 0)
    agent.record_certificate(*second[:2])
    agent.note(client.organisation, "Grand compte : prévenir avant chaque envoi groupé.")
    yield at.ago(6, 9, 5)
    client.speaks_arabic(second[2])
    client.write(second[2], "مرحبا، متى تصدر شهادتي؟ لقد تم قبول المطلب منذ أسبوع.")
    yield at.ago(6, 11, 40)
    agent.answer(
        second[2],
        "مرحبا،\n\nتم قبول مطلبكم وستصدر الشهادة خلال هذا الأسبوع. سنكتب لكم هنا عند إرسالها إلى مكتب البريد.\n\n"
        "نزار الحمروني، TunTrust",
    )


def oliviers(client: Client, at: Calendar, agent: Officer) -> Story:
    """Its extract was nearly three months old at the sign-up: long out of date for what was ordered since.

    Its last order was paid twice: the second sum waits at the reconciliation desk.
    """
    yield from verified(client, at, agent)
    staff = client.people[1:]
    yield at.ago(40, 9, 0)
    first = client.order(*staff[:2])
    yield at.ago(39, 9, 0)
    client.validate(*first)
    yield at.ago(39, 14, 0)
    client.pay(*first)
    yield at.ago(36, 9, 0)
    agent.approve(*first)
    yield at.ago(35, 9, 0)
    agent.record_certificate(*first)
    agent.dispatch(*first)
    yield at.ago(31, 9, 0)
    agent.note_collection(*first)
    yield at.ago(5, 9, 0)
    second = client.order(*staff[2:6])
    yield at.ago(5, 15, 0)
    client.validate(*second)
    yield at.ago(4, 10, 30)
    forgotten = client.start_payment(*second)
    yield at.ago(4, 10, 52)
    client.gateway_says(forgotten, 0)
    yield at.ago(4, 11, 0)
    client.pay(*second)
    yield at.ago(4, 11, 20)
    client.gateway_says(forgotten, 2)  # the first page was still open in another tab


def ministere(client: Client, at: Calendar, agent: Officer) -> Story:
    """An administration without RNE; a payment whose amount is not ours waits at the reconciliation desk."""
    yield from verified(client, at, agent)
    staff = client.people[2:]
    yield at.ago(30, 9, 0)
    rows = client.order(*staff[:6])
    yield at.ago(29, 11, 0)
    client.validate(*rows[:3])
    yield at.ago(28, 10, 0)
    client.pay(*rows[:3])
    yield at.ago(25, 9, 0)
    agent.take(rows[0])
    agent.ask(rows[0], Point("first_name_ar", "L'orthographe est à corriger."))
    yield at.ago(24, 9, 0)
    agent.reject(rows[1], "Un document produit n'est pas authentique.")
    yield at.ago(22, 13, 0)
    client.answer_request(rows[0], words="L'orthographe est celle de l'acte de naissance.", everything=True)
    yield at.ago(20, 9, 0)
    agent.approve(rows[0])
    yield at.ago(10, 9, 0)
    client.validate(rows[3])
    yield at.ago(9, 9, 0)
    payment = client.start_payment(rows[3])
    yield at.ago(9, 9, 6)
    client.gateway_says(payment, 2, amount=423_500)


def rheinwerk(client: Client, at: Calendar, agent: Officer) -> Story:
    """A foreign company, and an administrator who orders for herself with a passport."""
    yield from verified(client, at, agent)
    yield at.ago(40, 11, 0)
    rows = client.order(*client.people[:2])
    yield at.ago(38, 11, 0)
    client.validate(*rows)
    yield at.ago(37, 12, 0)
    client.pay(*rows)
    yield at.ago(33, 9, 0)
    agent.approve(rows[0])
    yield at.ago(32, 9, 0)
    agent.record_certificate(rows[0])
    yield at.ago(31, 9, 0)
    agent.dispatch(rows[0])


def atlas(client: Client, at: Calendar, agent: Officer) -> Story:
    """Paid for before its contract is signed; one applicant holds a residence card. Its extract is an old one."""
    yield from registered(client, at)
    yield at.ago(15, 10, 0)
    rows = client.order(RESIDENT, *client.people[1:3])
    yield at.ago(14, 10, 0)
    client.validate(*rows)
    yield at.ago(13, 10, 0)
    client.pay(*rows)
    yield at.ago(12, 10, 0)
    agent.take(rows[0])


def jasmin(client: Client, at: Calendar) -> Story:
    """Names in Arabic only in the register; the contract is signed electronically by one of two; two to pay.

    A third was paid for after its session, when the administrator had just withdrawn it.
    """
    yield from registered(client, at)
    yield at.ago(7, 10, 0)
    client.sign_contract(complete=False, electronically=True)
    yield at.ago(5, 10, 0)
    rows = client.order(*client.people[1:4])
    yield at.ago(4, 10, 0)
    client.validate(*rows)
    yield at.ago(3, 10, 0)
    client.fill_basket(rows[0])
    yield at.ago(3, 11, 0)
    late = client.start_payment(rows[1])
    yield at.ago(3, 11, 25)
    client.gateway_says(late, 0)
    yield at.ago(2, 9, 0)
    client.withdraw(rows[1], "Cette personne change de service.")
    yield at.ago(2, 9, 40)
    client.gateway_says(late, 2)


def clinique(client: Client, at: Calendar) -> Story:
    """New, clean, its contract signed electronically: the next one to verify. Its last invitations have just left."""
    yield from registered(client, at)
    yield at.ago(5, 10, 0)
    client.sign_contract(electronically=True)
    yield at.ago(4, 10, 0)
    rows = client.order(*client.people[1:5])
    yield at.ago(3, 10, 0)
    client.validate(*rows[:2])
    yield at.hours_ago(1)
    client.order(*client.people[5:7])


def patrimoine(client: Client, at: Calendar, agent: Officer) -> Story:
    """An association asked for two things, which answered one; its requests wait too."""
    yield from registered(client, at)
    yield at.ago(29, 10, 0)
    client.sign_contract()
    yield at.ago(28, 9, 0)
    rows = client.order(*client.people[1:4])
    yield at.ago(27, 9, 0)
    client.validate(*rows)
    yield at.ago(26, 9, 0)
    client.pay(*rows)
    yield at.ago(24, 9, 0)
    agent.take(client.organisation)
    agent.ask(
        client.organisation,
        Point(DocumentKind.RNE_EXTRACT, OLD_EXTRACT),
        Point("address", "La donnée déclarée diffère de celle du registre."),
    )
    yield at.ago(23, 9, 0)
    agent.take(rows[0])
    agent.ask(rows[0], Point("identity_number", DIFFERS), Point("birth_date", DIFFERS))
    yield at.ago(20, 15, 0)
    client.answer(extract=True)


def medina(client: Client, at: Calendar, agent: Officer) -> Story:
    """Asked for its contract, signed by everybody this time; a request opened again. Its extract was another's."""
    yield from registered(client, at)
    yield at.ago(17, 10, 0)
    client.sign_contract(complete=False)
    yield at.ago(16, 10, 0)
    agent.ask(
        client.organisation,
        Point(DocumentKind.SIGNED_CONTRACT, UNSIGNED),
        Point(DocumentKind.RNE_EXTRACT, "Ce n'est pas le document demandé."),
    )
    yield at.ago(15, 10, 0)
    rows = client.order(*client.people[1:3])
    yield at.ago(14, 10, 0)
    client.validate(rows[0])
    yield at.ago(13, 10, 0)
    client.reopen(rows[0], "Le numéro de mobile a changé.")


def dattes(client: Client, at: Calendar, agent: Officer) -> Story:
    """Refused, after the administrator had taken the requests back."""
    yield from registered(client, at)
    yield at.ago(44, 10, 0)
    rows = client.order(*client.people[1:3])
    yield at.ago(42, 10, 0)
    for request in rows:
        client.withdraw(request, "Commande faite par erreur.")
    yield at.ago(40, 10, 0)
    agent.reject_organisation(
        client.organisation,
        Point(DocumentKind.RNE_EXTRACT, "Ce n'est pas le document demandé."),
        reason="L'entreprise est radiée du registre.",
    )


def mirage(client: Client, at: Calendar, agent: Officer, supervisor: Officer) -> Story:
    """Suspended by the supervisor with a request still to pay."""
    yield from verified(client, at, agent)
    yield at.ago(60, 10, 0)
    rows = client.order(*client.people[1:5])
    yield at.ago(58, 10, 0)
    client.validate(*rows)
    yield at.ago(57, 10, 0)
    client.pay(*rows[:2])
    yield at.ago(54, 10, 0)
    agent.approve(*rows[:2])
    yield at.ago(53, 10, 0)
    agent.record_certificate(*rows[:2])
    agent.dispatch(*rows[:2])
    yield at.ago(49, 10, 0)
    agent.note_collection(rows[0])
    yield at.ago(30, 10, 0)
    supervisor.suspend(client.organisation, "Contrat dénoncé : signature du représentant contestée.")


def waiting(client: Client, at: Calendar, *, hours: float, reminded: bool = False) -> Story:
    """Registered, not activated: the demonstration password is its temporary one, the purge comes after 48 h."""
    yield at.hours_ago(hours)
    client.sign_up()
    if reminded:
        yield at.hours_ago(hours - 24)
        client.organisation.activation_reminded_at = clock.now() + timedelta(seconds=2)


def everybody(client: Callable[[str], Client], staff: Callable[[str], Officer], at: Calendar) -> list[Story]:
    """All stories, to be played together."""
    agent, other, supervisor = staff("agent"), staff("agent2"), staff("superviseur")
    return [
        demo(client("demo"), at, agent, other),
        eaux(client("eaux"), at, other),
        oliviers(client("oliviers"), at, agent),
        ministere(client("ministere"), at, other),
        rheinwerk(client("rheinwerk"), at, agent),
        atlas(client("atlas"), at, other),
        jasmin(client("jasmin"), at),
        clinique(client("clinique"), at),
        patrimoine(client("patrimoine"), at, agent),
        medina(client("medina"), at, agent),
        dattes(client("dattes"), at, other),
        mirage(client("mirage"), at, other, supervisor),
        ordered_twice(client("demo"), at, other, supervisor),
        waiting_for_a_second_person(client("demo"), at, other),
        refund_unanswered(client("ministere"), at, other, supervisor),
        near_their_end(client("demo"), at, agent),
        left_and_lost(client("eaux"), at, other),
        waiting(client("pixel"), at, hours=5),
        waiting(client("apiculture"), at, hours=30, reminded=True),
    ]
