"""The checking client itself: each fault it promises to see, planted; and forms sent as a browser would."""

import json

import pytest
from flask import Flask, g, jsonify, redirect, request

from tests.pages import CheckingClient, PageError
from tests.support.html import problems

SOUND = "<label for='a'>Nom</label><input id='a' name='a'>"


def page(
    body: str,
    *,
    head: str = "<title>Essai</title>",
    html: str = "lang='fr' dir='ltr'",
    h1: str = "<h1>Essai</h1>",
) -> str:
    return f"<!doctype html><html {html}><head>{head}</head><body><main>{h1}{body}</main></body></html>"


@pytest.fixture
def site():
    app = Flask(__name__)
    app.config["TESTING"] = True
    shown = {"html": page(SOUND)}

    @app.get("/")
    def home():
        return shown["html"]

    @app.route("/echo", methods=["GET", "POST"])
    def echo():
        files = {name: [(f.filename, len(f.read())) for f in request.files.getlist(name)] for name in request.files}
        return jsonify(args=request.args.to_dict(flat=False), form=request.form.to_dict(flat=False), files=files)

    @app.get("/loop")
    def loop():
        return redirect("/loop")

    @app.get("/away")
    def away():
        return redirect("https://elsewhere.example/pay?x=1")

    @app.get("/broken")
    def broken():
        return "no", 503

    @app.get("/seen")
    def seen():
        before = getattr(g, "seen", 0)
        g.seen = before + 1
        return jsonify(before)

    app.extensions["shown"] = shown
    return app


@pytest.fixture
def visitor(site):
    return CheckingClient(site)


def show(site, html):
    site.extensions["shown"]["html"] = html


def test_a_sound_page_passes(visitor):
    visited = visitor.get("/")
    assert visited.h1 == "Essai"
    assert problems(visited, visitor.app) == []


@pytest.mark.parametrize(
    "html, complaint",
    [
        (page("<p><div></p>"), "HTML: line"),
        (page("<p id='x'></p><p id='x'></p>"), "id 'x' stands 2 times"),
        (page("", h1=""), "0 h1"),
        (page("<h1>Deux</h1>"), "2 h1"),
        (page("<input name='a'>"), "no label"),
        (page("<label for='b'>Nom</label><input id='a' name='a' aria-label='Nom'>"), "for names no element"),
        (page("<input aria-label='Nom' aria-describedby='aide'>"), "aria-describedby names no element"),
        (page("", html="dir='ltr'"), "html has no lang"),
        (page("", html="lang='fr'"), "html has no dir"),
        (page("", head=""), "no title"),
        (page("<p style='color:red'>x</p>"), "inline style"),
        (page("<button type='button' onclick='x()'>x</button>"), "inline handler onclick"),
        (page("<script>x()</script>"), "script without nonce"),
        (page("<a href='/nulle-part'>x</a>"), "no such route"),
        (page("<a href='#nulle-part'>x</a>"), "names no element of the page"),
        (page("<a href='javascript:x()'>x</a>"), "leads to javascript"),
        (page("<form method='post' action='/loop'><button>x</button></form>"), "the route takes no POST"),
        (page("<script src='https://cdn.example/x.js'></script>"), "loaded from outside"),
        (page("<script src='/static/rien.js'></script>"), "no such static file"),
        (page("<img src='/echo'>"), "img without alt"),
        (page("<a href='/echo'></a>"), "no name"),
        (page("<td>None</td>".join(["<table><tr>", "</tr></table>"])), "leaks from the program"),
        (page("<p>{{ nom }}</p>"), "leaks from the program"),
        (page("<p>Bonjour %(nom)s</p>"), "leaks from the program"),
        (
            page("<form method='post' action='/echo'><input type='file' name='f' aria-label='F'></form>"),
            "not multipart",
        ),
    ],
)
def test_each_fault_is_seen(site, visitor, html, complaint):
    show(site, html)
    with pytest.raises(PageError, match=complaint.replace("(", r"\(")):
        visitor.get("/")


def test_server_errors_fail_whatever_was_expected(visitor):
    with pytest.raises(PageError, match="503"):
        visitor.get("/broken", expect=503)


def test_a_refusal_must_be_expected(visitor):
    with pytest.raises(AssertionError, match="404"):
        visitor.get("/nulle-part")


def test_redirects_without_end_are_seen(visitor):
    with pytest.raises(PageError, match="without end"):
        visitor.get("/loop")


def test_a_redirect_to_another_site_is_not_followed(visitor):
    assert visitor.get("/away").location == "https://elsewhere.example/pay?x=1"


def test_requests_do_not_share_what_the_application_context_holds(site, visitor):
    with site.app_context():
        assert visitor.open("GET", "/seen").json == 0
        assert visitor.open("GET", "/seen").json == 0


FORM = page(
    "<form method='post' action='/echo' enctype='multipart/form-data'>"
    "<input type='hidden' name='step' value='2'>"
    "<label for='n'>Raison sociale <i aria-hidden='true'>*</i> <b class='vh'>(obligatoire)</b></label>"
    "<input id='n' name='name' value='Avant'>"
    "<label for='z'>Remarque</label><textarea id='z' name='note'>\nDeux\nlignes</textarea>"
    "<label for='c'>Catégorie</label><select id='c' name='category'><option value=''>Choisir</option>"
    "<option value='PRIVATE'>Entreprise privée</option><option value='NGO'>Association</option></select>"
    "<fieldset><legend>Pays</legend><label><input type='radio' name='country' value='TN' checked> Tunisie</label>"
    "<label><input type='radio' name='country' value='X'> Étranger</label></fieldset>"
    "<fieldset><legend>Domaines</legend><label><input type='checkbox' name='d' value='TTN'> TTN</label>"
    "<label><input type='checkbox' name='d' value='CNSS'> CNSS</label></fieldset>"
    "<label><input type='checkbox' name='agree'> J’accepte</label>"
    "<label for='f'>Extrait</label><input id='f' type='file' name='file'>"
    "<input name='off' value='x' aria-label='Éteint' disabled>"
    "<button name='go' value='next'>Suivant</button><button name='go' value='back'>Retour</button></form>"
)


def sent(answer):
    return json.loads(answer.data)


def test_a_form_left_alone_is_sent_as_it_stands(site, visitor):
    show(site, FORM)
    answer = sent(visitor.get("/").form().submit())
    assert answer["form"] == {
        "step": ["2"],
        "name": ["Avant"],
        "note": ["Deux\nlignes"],
        "category": [""],
        "country": ["TN"],
        "go": ["next"],
    }
    assert answer["files"] == {"file": [["", 0]]}


def test_a_form_is_filled_by_names_labels_and_legends(site, visitor):
    show(site, FORM)
    form = visitor.get("/").form("Raison sociale")
    form.fill(
        {
            "Raison sociale": "Société",
            "Catégorie": "Association",
            "Pays": "Étranger",
            "Domaines": ["TTN", "CNSS"],
        },
        agree=True,
        file=("rne.pdf", b"%PDF-1.7"),
    )
    answer = sent(form.submit("Retour"))
    assert answer["form"] == {
        "step": ["2"],
        "name": ["Société"],
        "note": ["Deux\nlignes"],
        "category": ["NGO"],
        "country": ["X"],
        "d": ["TTN", "CNSS"],
        "agree": ["on"],
        "go": ["back"],
    }
    assert answer["files"] == {"file": [["rne.pdf", 8]]}


def test_what_the_page_does_not_offer_must_be_forced(site, visitor):
    show(site, FORM)
    form = visitor.get("/").form()
    with pytest.raises(AssertionError, match="offers no"):
        form.fill(category="BANK")
    with pytest.raises(AssertionError, match="no field"):
        form.fill(off="y")
    assert sent(form.force(category="BANK", step=None).submit())["form"].get("category") == ["BANK"]


def test_a_get_form_goes_to_the_address(site, visitor):
    show(
        site,
        page(
            "<form action='/echo'><label for='q'>Chercher</label><input id='q' name='q'><button>Aller</button></form>"
        ),
    )
    assert sent(visitor.get("/").form().fill(q="é&a").submit())["args"] == {"q": ["é&a"]}


def test_tables_errors_and_links_are_read(site, visitor):
    show(
        site,
        page(
            "<table><thead><tr><th>CN</th><th>Etat</th></tr></thead><tbody><tr><td>A</td><td>Payé</td></tr></tbody>"
            "</table><div class='field'><label for='a'>Nom</label>"
            "<span class='err' id='e'><span class='vh'>Erreur : </span>Manque</span>"
            "<form action='/echo'><input id='a' name='a' aria-describedby='e'></form></div>"
            "<a href='/echo?x=1'>Suite</a>"
        ),
    )
    visited = visitor.get("/")
    assert visited.table() == [{"CN": "A", "Etat": "Payé"}]
    assert visited.errors == ["Manque"]
    assert visited.error_for("a") == "Manque"
    assert sent(visited.click("Suite"))["args"] == {"x": ["1"]}
