"""Who and what the demo's city is made of: businesses, shops, people, carriers, and those who order."""

from dataclasses import dataclass

from stores.actors import Role


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who logs in; `stores` are public ids of the stores they own, `position` is where a courier was seen last."""

    username: str
    first_name: str
    last_name: str
    telephone: str
    role: Role
    stores: tuple[str, ...] = ()
    color: str = ""
    position: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Shop:
    """A store with where it is, and what stands on its receipts: (name, price in cents)."""

    public_id: str
    name: str
    street_address: str
    telephone: str
    timezone: str
    description: str
    menu: tuple[tuple[str, int], ...]

    @property
    def account_id(self) -> str:
        return self.public_id.rpartition("-")[0]


@dataclass(frozen=True, slots=True)
class Carrier:
    """An outside carrier with the drivers it names: (name, telephone); `store` is the public id of the store it serves."""

    name: str
    ref: str
    store: str
    site: str
    drivers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody who gets something; `unlisted` marks an address that the offline gazetteer does not know."""

    name: str
    telephone: str
    street_address: str
    note: str = ""
    unlisted: bool = False


ACCOUNTS = {"3r4s3": "Maison Lavandin", "8c2vd": "Padaria Alecrim"}
CURRENCY = "EUR"

SHOPS = (
    Shop(
        "3r4s3-1",
        "Lavandin Opéra",
        "27 Avenue de l'Opéra, 75001 Paris",
        "+33199004101",
        "Europe/Paris",
        "Side door in the passage, ring “cuisine”",
        (
            ("Quiche aux poireaux", 890),
            ("Velouté de potiron", 650),
            ("Parmentier de canard", 1490),
            ("Tarte fine aux pommes", 720),
            ("Plateau de fromages", 1850),
            ("Limonade au citron", 380),
        ),
    ),
    Shop(
        "3r4s3-2",
        "Lavandin Bastille",
        "120 Rue de Lyon, 75012 Paris",
        "+33199004102",
        "Europe/Paris",
        "Pickup at the counter on the left",
        (
            ("Salade de lentilles", 940),
            ("Croque au comté", 880),
            ("Couscous aux sept légumes", 1380),
            ("Mousse au chocolat", 590),
            ("Jus de pomme fermier", 420),
        ),
    ),
    Shop(
        "8c2vd-1",
        "Alecrim Chiado",
        "73 Rua Garrett, 1200-203 Lisboa",
        "+351900004103",
        "Europe/Lisbon",
        "Entrada pela esplanada",
        (
            ("Empada de galinha", 320),
            ("Caldo verde", 450),
            ("Bacalhau com natas", 1250),
            ("Pastel de nata (meia dúzia)", 720),
            ("Sumo de laranja", 350),
        ),
    ),
)

PEOPLE = (
    Person("admin", "Claire", "Fontaine", "+33639980001", Role.ADMIN),
    Person("nadia", "Nadia", "Belkacem", "+33639980002", Role.DISPATCHER),
    Person("ines", "Inès", "Morel", "+33639980011", Role.COURIER, color="#DC2626", position=(48.8689, 2.3395)),
    Person("malik", "Malik", "Traoré", "+33639980012", Role.COURIER, color="#2563EB", position=(48.8748, 2.3312)),
    Person("jeanne", "Jeanne", "Vasseur", "+33639980013", Role.COURIER, color="#059669", position=(48.8571, 2.3601)),
    Person("tomas", "Tomás", "Herrera", "+33639980014", Role.COURIER, color="#D97706", position=(48.8460, 2.3719)),
    Person("aya", "Aya", "Nakamura-Petit", "+33639980015", Role.COURIER, color="#7C3AED", position=(48.8519, 2.3319)),
    Person("hugo", "Hugo", "Lemaire", "+33639980016", Role.COURIER, color="#0891B2", position=(48.8699, 2.3601)),
    Person("camille", "Camille", "Lavandin", "+33639980021", Role.STORE_OWNER, stores=("3r4s3-1",)),
    Person("etienne", "Étienne", "Lavandin", "+33639980022", Role.STORE_OWNER, stores=("3r4s3-2",)),
    Person("beatriz", "Beatriz", "Alecrim", "+351900000023", Role.STORE_OWNER, stores=("8c2vd-1",)),
)
COURIERS = tuple(person for person in PEOPLE if person.role == Role.COURIER)

CARRIERS = (
    Carrier(
        "Pédale Express",
        "pedale-express",
        "3r4s3-1",
        "https://pedale-express.example",
        (("Youssef", "+33639980031"), ("Marion", "+33639980032"), ("Stan", "+33639980033")),
    ),
    Carrier("Tejo Estafetas", "tejo", "8c2vd-1", "https://tejo.example", (("Rui", "+351900000031"), ("Marta", "+351900000032"))),
)

TAGS = {"cold": ("Cold chain", "#0EA5E9"), "fragile": ("Fragile", "#F59E0B")}
PACKAGES = (("SMALL", "S", 1, "#10B981"), ("XL", "XL", 3, "#EF4444"))
PACKAGED_STORE = SHOPS[0].public_id
PACKAGE_SET = "Bakery boxes"
PRICE_LISTS = {
    "By distance": (
        "find",
        (
            ("", "distance in 0..2000", "499"),
            ("", "distance in 2001..4000", "699"),
            ("", "distance in 4001..8000", "1299"),
            ("", "distance > 8000", "1999"),
            ("Waiting", "false", "price_range(quantity, 200, 5, 0)"),
        ),
    ),
    "Base and extras": (
        "map",
        (
            ("Base", "true", "390"),
            ("Each kilometre after the first", "distance > 1000", "price_range(distance, 100, 1000, 1000)"),
            ("Heavy", "weight > 5000", "200"),
            ("Within two hours", "diff_hours(dropoff) < 2", "price_percentage(12000)"),
            ("Waiting", "false", "price_range(quantity, 200, 5, 0)"),
        ),
    ),
}
"""Strategies and rules, as (name, condition, price), by the name of the list; stores take them by turns."""

SLOT = ("Lunch and dinner", ("Mo-Su 11:30-12:30", "Mo-Su 12:30-13:30", "Mo-Su 13:30-14:30", "Mo-Su 19:00-20:00", "Mo-Su 20:00-21:00"))

PARIS = (
    Recipient("Hélène Garnier", "+33639980101", "48 Rue de Rivoli, 75004 Paris", "Code 27B4, 3rd floor left"),
    Recipient("Marc Olivier", "+33199004111", "24 Rue de la Paix, 75002 Paris", "Reception, ground floor"),
    Recipient("Sofia Benali", "+33639980102", "6 Place des Vosges, 75004 Paris", "Under the arcade, green door"),
    Recipient("Atelier Sévigné", "+33199004112", "23 Rue de Sévigné, 75003 Paris", "Ring “atelier”"),
    Recipient("Julien Perrot", "+33639980103", "34 Rue des Rosiers, 75004 Paris", "Code A1907"),
    Recipient("Camille Roche", "+33639980104", "19 Rue Beaubourg, 75004 Paris"),
    Recipient("Studio Montmorency", "+33199004113", "51 Rue de Montmorency, 75003 Paris", "2nd floor, no lift"),
    Recipient("Awa Diallo", "+33639980105", "101 Rue Rambuteau, 75001 Paris", "Call on arrival"),
    Recipient("Pierre Castel", "+33639980106", "18 Rue Coquillière, 75001 Paris"),
    Recipient("Léonie Martin", "+33639980107", "38 Rue Montorgueil, 75001 Paris", "Above the bakery, code 4412"),
    Recipient("Bertrand Hue", "+33639980108", "7 Rue du Faubourg Montmartre, 75009 Paris"),
    Recipient("Cabinet Richer", "+33199004114", "32 Rue Richer, 75009 Paris", "Closed between 13:00 and 14:00"),
    Recipient("Nour El Amrani", "+33639980109", "16 Boulevard Saint-Denis, 75010 Paris", "Interphone “El Amrani”"),
    Recipient("Théo Blanchard", "+33639980110", "102 Quai de Jemmapes, 75010 Paris", "Boat side entrance"),
    Recipient("Chloé Renard", "+33639980111", "50 Boulevard Voltaire, 75011 Paris"),
    Recipient("Hôtel Scribe, desk", "+33199004115", "5 Rue Scribe, 75009 Paris", "Leave at the front desk"),
    Recipient("Victor Amsel", "+33639980112", "40 Boulevard Haussmann, 75009 Paris"),
    Recipient("Louise Tellier", "+33639980113", "12 Boulevard des Capucines, 75009 Paris", "5th floor right"),
    Recipient("Galerie Royale", "+33199004116", "3 Rue Royale, 75008 Paris", "Ask for Margaux"),
    Recipient("Omar Haddad", "+33639980114", "55 Rue du Faubourg Saint-Honoré, 75008 Paris", "Security desk, show the order number"),
    Recipient("Emma Schneider", "+33639980115", "31 Avenue George V, 75008 Paris", "Staff entrance"),
    Recipient("Raphaël Dumas", "+33639980116", "99 Avenue des Champs-Élysées, 75008 Paris"),
    Recipient("Inès Cordier", "+33639980117", "77 Rue de Varenne, 75007 Paris", "Garden gate"),
    Recipient("Antoine Leroy", "+33639980118", "24 Rue de Sèvres, 75007 Paris"),
    Recipient("Fatou Sarr", "+33639980119", "140 Rue du Bac, 75007 Paris", "Code 1830, building C"),
    Recipient("Librairie Germain", "+33199004117", "151 Boulevard Saint-Germain, 75006 Paris"),
    Recipient("Paul Estève", "+33639980120", "6 Place Saint-Sulpice, 75006 Paris", "Leave with the caretaker"),
    Recipient("Manon Girard", "+33639980121", "108 Boulevard du Montparnasse, 75014 Paris"),
    Recipient("Samir Khelifi", "+33639980122", "33 Avenue du Maine, 75015 Paris", "Tower lobby"),
    Recipient("Agathe Noël", "+33639980123", "37 Rue de la Bûcherie, 75005 Paris", "Blue door"),
    Recipient("Institut Cuvier", "+33199004118", "57 Rue Cuvier, 75005 Paris", "Goods entrance"),
    Recipient("Lucas Ferrand", "+33639980124", "85 Boulevard Vincent Auriol, 75013 Paris"),
    Recipient("Zoé Lambert", "+33639980125", "51 Rue de Bercy, 75012 Paris", "Code 0612"),
    Recipient("Karim Ouali", "+33639980126", "20 Boulevard Diderot, 75012 Paris"),
    Recipient("Jeanne Delorme", "+33639980127", "15 Rue Lepic, 75018 Paris", "Steep street, leave the bike below"),
    Recipient("Mathis Aubry", "+33639980128", "12 Rue Cortot, 75018 Paris"),
    Recipient("Irène Kowalski", "+33639980129", "18 Rue de Dunkerque, 75010 Paris", "4th floor, dog barks and is kind"),
    Recipient("Cité Jaurès", "+33199004119", "211 Avenue Jean Jaurès, 75019 Paris", "Hall B"),
    Recipient("Elsa Moreau", "+33639980130", "16 Rue du Repos, 75020 Paris"),
    Recipient("Noé Fabre", "+33639980131", "120 Rue de Lyon, 75012 Paris", "Neighbour of the shop"),
)
UNLISTED = (
    Recipient("Gaspard Lenoir", "+33639980141", "11 Villa de l'Ermitage, 75020 Paris", "Second gate", unlisted=True),
    Recipient("Violette Arnaud", "+33639980142", "3 Passage des Deux Portes, Paris", unlisted=True),
    Recipient("Basile Rey", "+33639980143", "9 Cour du Marché Saint-Antoine, 75012 Paris", "Courtyard", unlisted=True),
)
LISBON = (
    Recipient("Joana Pires", "+351900000101", "85 Rua Augusta, 1100-048 Lisboa", "2.º esquerdo"),
    Recipient("Miguel Sá", "+351900000102", "3 Praça do Comércio, 1100-148 Lisboa"),
    Recipient("Hotel Liberdade", "+351900000103", "185 Avenida da Liberdade, 1269-050 Lisboa", "Receção"),
    Recipient("Rita Nogueira", "+351900000104", "23 Rua das Portas de Santo Antão, 1150-264 Lisboa"),
    Recipient("Tiago Mendes", "+351900000105", "49 Avenida 24 de Julho, 1200-479 Lisboa", "Campainha 4B"),
    Recipient("Inês Falcão", "+351900000106", "1 Rua da Escola Politécnica, 1250-096 Lisboa"),
    Recipient("Duarte Lobo", "+351900000107", "96 Praça Dom Pedro IV, 1100-201 Lisboa", "Farmácia ao lado"),
    Recipient("Leonor Brito", "+351900000108", "2 Rua do Carmo, 1200-094 Lisboa"),
)
