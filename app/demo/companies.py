"""The invented organisations of the demonstration, over every category, script and state (OPS-1)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from app.demo.people import Person, colleagues
from app.identifiers import tax_id_letter
from app.models import IdentityKind, OrganisationCategory

DEMO_DOMAIN = "societe-demo.tn"


@dataclass(frozen=True, slots=True)
class Company:
    """One organisation as its administrator entered it. ``paper`` is what the extract is made of:

    rne, rne_scan (a scanned page), rne_arabic (names in Arabic only, hence the tax card too), tax_card (no RNE)
    or register (foreign). ``extract_age`` is its age in days on the day of the sign-up. ``slip`` is a fault that the
    automatic checks find: other_company (its extract is another company's), old_print (printed months before the
    date that was declared).
    """

    key: str
    legal_name: str
    legal_name_ar: str
    category: OrganisationCategory
    governorate: str  # ISO code
    address: str
    postal_code: str
    city: str
    phone: str
    domain: str
    number: int  # of the tax id
    first_person: int
    paper: Literal["rne", "rne_scan", "rne_arabic", "tax_card", "register"] = "rne"
    style: Literal[1, 2, 3] = 1
    registered: int = 80  # days ago
    extract_age: int = 20
    slip: Literal["", "other_company", "old_print"] = ""
    administrators: int = 1
    trade_name: str = ""
    country: str = "TN"
    register_number: str | None = None
    representative: Person | None = None
    named: tuple[Person, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def tax_id(self) -> str | None:
        """Seven digits and the letter they call for; foreign organisations have none."""
        digits = f"{self.number:07d}"
        return digits + tax_id_letter(digits) if self.country == "TN" else None

    @property
    def foreign(self) -> bool:
        """Is it registered abroad?"""
        return self.country != "TN"

    def people(self) -> list[Person]:
        """The representative, then administrators and employees, always the same."""
        invented = colleagues(self.first_person, self.domain)
        head = self.representative or next(invented)
        taken = {head.email, *(person.email for person in self.named)}
        staff = [*self.named]
        while len(staff) < 24:
            somebody = next(invented)
            if somebody.email not in taken:
                staff.append(somebody)
        return [head, *staff]


def _known(
    last: str, first: str, last_ar: str, first_ar: str, born: date, number: str, mobile: str, email: str,
    kind: IdentityKind = IdentityKind.CIN, nationality: str = "TN",
) -> Person:  # fmt: skip
    return Person(last, first, last_ar, first_ar, born, number, mobile, email, kind, nationality)


# The identity service's sandbox knows these people, so that its button says « concordant ».
REPRESENTATIVE = _known(
    "Gharbi", "Mohamed", "الغربي", "محمد", date(1970, 6, 21), "02345678", "+21698345678", "m.gharbi@societe-demo.tn"
)
ADMINISTRATOR = _known(
    "Ben Salah", "Amira", "بن صالح", "أميرة", date(1984, 3, 12), "01234567", "+21620123456", "admin@societe-demo.tn"
)
SECOND = _known(
    "Jaziri", "Leïla", "الجزيري", "ليلى", date(1979, 9, 30), "03456789", "+21622345678", "leila.jaziri@societe-demo.tn"
)
APPLICANT = _known(
    "Trabelsi", "Karim", "الطرابلسي", "كريم", date(1991, 11, 5), "07654321", "+21655765432",
    "demandeur@societe-demo.tn",
)  # fmt: skip
RESIDENT = _known(
    "Lefèvre", "Claire", "لوفافر", "كلار", date(1983, 6, 15), "CS100001", "+21629100001",
    "claire.lefevre@atlas-ingenierie.tn", IdentityKind.CARTE_SEJOUR, "FR",
)  # fmt: skip
TRAVELLER = _known(
    "Neumann", "Katrin", "نويمان", "كاترين", date(1985, 12, 1), "P1234567", "+4915112345678",
    "katrin.neumann@rheinwerk-demo.de", IdentityKind.PASSEPORT, "DE",
)  # fmt: skip
GERMAN_HEAD = _known(
    "Brandt", "Jürgen", "براندت", "يورغن", date(1968, 5, 9), "P7654321", "+4916012345678",
    "juergen.brandt@rheinwerk-demo.de", IdentityKind.PASSEPORT, "DE",
)  # fmt: skip

_PRIVATE = OrganisationCategory.ENTREPRISE_PRIVEE
COMPANIES = (
    Company(
        "demo", "SOCIETE DEMO DE SERVICES INFORMATIQUES", "الشركة التجريبية للخدمات الإعلامية", _PRIVATE,
        "TN-11", "12 avenue de la Liberté", "1002", "Tunis", "+21671842100", DEMO_DOMAIN, 1_450_021, 100,
        style=2, extract_age=12, administrators=2, trade_name="SOCIETE DEMO", representative=REPRESENTATIVE,
        named=(ADMINISTRATOR, SECOND, APPLICANT),
        registered=80,
        details={"governorate": "Tunis", "governorate_ar": "تونس", "address_ar": "12 شارع الحرية"},
    ),
    Company(
        "atlas", "ATLAS INGENIERIE", "أطلس للهندسة", _PRIVATE,
        "TN-12", "7 rue des Entrepreneurs", "2080", "Ariana", "+21671706220", "atlas-ingenierie.tn", 1_318_842, 200,
        paper="rne_scan",
        registered=20, slip="old_print",
        details={
            "city_ar": "أريانة", "governorate": "Ariana", "governorate_ar": "أريانة", "activity": "Bureau d’études",
            "activity_ar": "مكتب دراسات",
        },
    ),
    Company(
        "oliviers", "HUILERIES DES OLIVIERS DU SAHEL", "معاصر زياتين الساحل", _PRIVATE,
        "TN-51", "route de Monastir km 4", "4000", "Sousse", "+21673225410", "huileries-sahel.tn", 1_027_336, 300,
        style=3, extract_age=82,
        registered=85,
        details={
            "city_ar": "سوسة", "governorate": "Sousse", "governorate_ar": "سوسة",
            "activity": "Production et conditionnement d’huile d’olive", "activity_ar": "إنتاج وتعليب زيت الزيتون",
        },
    ),
    Company(
        "jasmin", "ATELIERS DU JASMIN", "ورشات الياسمين", _PRIVATE,
        "TN-21", "3 rue de la Poterie", "8000", "Nabeul", "+21672285190", "ateliers-jasmin.tn", 1_602_117, 400,
        paper="rne_arabic",
        registered=9,
        details={
            "city_ar": "نابل", "governorate": "Nabeul", "governorate_ar": "نابل",
            "activity": "Céramique artisanale", "activity_ar": "صناعات خزفية تقليدية",
        },
    ),
    Company(
        "patrimoine", "ASSOCIATION SAUVEGARDE DU PATRIMOINE", "جمعية صيانة التراث", OrganisationCategory.ASSOCIATION,
        "TN-41", "place des Martyrs", "3100", "Kairouan", "+21677231405", "patrimoine-demo.tn", 1_733_905, 500,
        paper="rne_scan", style=2,
        registered=30,
        details={
            "city_ar": "القيروان", "governorate": "Kairouan", "governorate_ar": "القيروان",
            "legal_form": "Association", "legal_form_ar": "جمعية", "capital": "Sans objet",
        },
    ),
    Company(
        "ministere", "MINISTERE DES USAGES NUMERIQUES", "وزارة الاستعمالات الرقمية",
        OrganisationCategory.MINISTERE_ADMINISTRATION,
        "TN-11", "boulevard du 9 Avril", "1006", "Tunis", "+21671560330", "usages-numeriques-demo.tn", 12_480, 600,
        paper="tax_card", administrators=2,
        registered=70,
        details={"legal_form": "Administration publique", "legal_form_ar": "إدارة عمومية", "capital": "Sans objet"},
    ),
    Company(
        "eaux", "OFFICE DES EAUX DU CENTRE", "ديوان مياه الوسط", OrganisationCategory.ENTITE_PUBLIQUE,
        "TN-61", "avenue Habib Thameur", "3000", "Sfax", "+21674402110", "eaux-centre-demo.tn", 45_219, 700,
        style=2, administrators=2,
        registered=109,
        details={
            "city_ar": "صفاقس", "governorate": "Sfax", "governorate_ar": "صفاقس",
            "legal_form": "Établissement public non administratif", "legal_form_ar": "منشأة عمومية",
        },
    ),
    Company(
        "rheinwerk", "RHEINWERK MASCHINEN", "راينفيرك للآلات", _PRIVATE,
        "", "Hafenstrasse 41", "50667", "Köln", "+49221123456", "rheinwerk-demo.de", 0, 800,
        paper="register", extract_age=10, country="DE", register_number="HRB 104412",
        representative=GERMAN_HEAD, named=(TRAVELLER,),
        registered=50,
        details={
            "country": "Allemagne", "legal_form": "GmbH", "capital": "250 000 EUR", "activity": "Machines-outils",
        },
    ),
    Company(
        "medina", "TRANSPORTS MEDINA", "نقل المدينة", _PRIVATE,
        "TN-23", "zone industrielle de Menzel Jemil", "7080", "Bizerte", "+21672440815", "transports-medina.tn",
        1_204_550, 900, style=3,
        registered=18, slip="other_company",
        details={
            "city_ar": "بنزرت", "governorate": "Bizerte", "governorate_ar": "بنزرت",
            "activity": "Transport de marchandises", "activity_ar": "نقل البضائع",
        },
    ),
    Company(
        "dattes", "DATTES DU NEFZAOUA", "تمور نفزاوة", _PRIVATE,
        "TN-73", "route de Douz", "4200", "Kebili", "+21675491220", "dattes-nefzaoua.tn", 1_511_704, 1000,
        paper="rne_scan", style=3,
        registered=45,
        details={
            "city_ar": "قبلي", "governorate": "Kébili", "governorate_ar": "قبلي", "activity": "Export de dattes",
            "activity_ar": "تصدير التمور",
        },
    ),
    Company(
        "clinique", "CLINIQUE LES JARDINS", "مصحة الحدائق", _PRIVATE,
        "TN-52", "avenue de la Corniche", "5000", "Monastir", "+21673462077", "clinique-jardins.tn", 1_390_263, 1100,
        registered=6,
        details={
            "city_ar": "المنستير", "governorate": "Monastir", "governorate_ar": "المنستير",
            "activity": "Soins de santé", "activity_ar": "خدمات صحية",
        },
    ),
    Company(
        "pixel", "STUDIO PIXEL ORIENTAL", "استوديو بيكسل الشرقي", _PRIVATE,
        "TN-13", "22 rue de Palestine", "2013", "Ben Arous", "+21671384460", "pixel-oriental.tn", 1_688_431, 1200,
        extract_age=3,
        registered=0,
        details={
            "city_ar": "بن عروس", "governorate": "Ben Arous", "governorate_ar": "بن عروس",
            "activity": "Création audiovisuelle", "activity_ar": "إنتاج سمعي بصري",
        },
    ),
    Company(
        "apiculture", "COOPERATIVE APICOLE DE BEJA", "تعاضدية مربي النحل بباجة", OrganisationCategory.ASSOCIATION,
        "TN-31", "14 rue de la République", "9000", "Béja", "+21678454310", "apiculture-beja.tn", 1_742_068, 1300,
        paper="rne_arabic", extract_age=30,
        registered=2,
        details={"city_ar": "باجة", "governorate": "Béja", "governorate_ar": "باجة", "legal_form": "Coopérative"},
    ),
    Company(
        "mirage", "COMPTOIR MIRAGE IMPORT", "شركة السراب للتوريد", _PRIVATE,
        "TN-81", "port de commerce", "6000", "Gabès", "+21675271190", "comptoir-mirage.tn", 1_577_290, 1400,
        paper="rne_scan",
        registered=65,
        details={
            "city_ar": "قابس", "governorate": "Gabès", "governorate_ar": "قابس", "activity": "Import et négoce",
            "activity_ar": "توريد وتجارة",
        },
    ),
)  # fmt: skip
