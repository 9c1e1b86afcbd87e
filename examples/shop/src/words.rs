//! Every word of the shop in its two languages.

use std::collections::BTreeMap;

use session_core::{Session, Timestamp};

use crate::pages::LANGUAGE;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    German,
}

impl Language {
    /// The visitor's own; English until they choose.
    pub(crate) fn of(session: &Session) -> Self {
        let chosen = session.get(LANGUAGE).ok().flatten();
        chosen.and_then(|code| Self::named(&code)).unwrap_or(Self::English)
    }

    pub(crate) fn named(code: &str) -> Option<Self> {
        match code {
            "en" => Some(Self::English),
            "de" => Some(Self::German),
            _ => None,
        }
    }

    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// All words, by the names that templates and flash messages use.
    pub(crate) fn words(self) -> BTreeMap<&'static str, &'static str> {
        WORDS.iter().map(|(name, words)| (*name, words[self as usize])).collect()
    }
}

/// A moment as both languages can read it.
pub(crate) fn moment(at: Timestamp) -> String {
    let at = at.to_offset();
    let (month, day) = (u8::from(at.month()), at.day());
    format!("{}-{month:02}-{day:02} {:02}:{:02} UTC", at.year(), at.hour(), at.minute())
}

/// The time of day to the second, for what happens every few minutes.
pub(crate) fn clock(at: Timestamp) -> String {
    let at = at.to_offset();
    format!("{:02}:{:02}:{:02} UTC", at.hour(), at.minute(), at.second())
}

const WORDS: &[(&str, [&str; 2])] = &[
    // The frame of every page.
    ("shop", ["Kettle & Leaf", "Kettle & Leaf"]),
    ("skip", ["Skip to content", "Zum Inhalt"]),
    ("nav", ["Main menu", "Hauptmenü"]),
    ("shelf", ["Shop", "Laden"]),
    ("cart", ["Cart", "Warenkorb"]),
    ("orders", ["Orders", "Bestellungen"]),
    ("account", ["Account", "Konto"]),
    ("devices", ["Devices", "Geräte"]),
    ("inside", ["Your session", "Deine Sitzung"]),
    ("sign_in", ["Sign in", "Anmelden"]),
    ("sign_out", ["Sign out", "Abmelden"]),
    ("to_dark", ["Dark", "Dunkel"]),
    ("to_light", ["Light", "Hell"]),
    ("theme", ["Theme", "Farben"]),
    ("language", ["Language", "Sprache"]),
    (
        "footer",
        [
            "A demo. Nothing is sold here, and no tea is shipped.",
            "Eine Demo. Hier wird nichts verkauft, und es kommt kein Tee.",
        ],
    ),
    // The shelf.
    ("welcome", ["Good tea, and what goes with it", "Guter Tee und was dazugehört"]),
    (
        "welcome_more",
        [
            "Small harvests, honest pots. Put something in your cart: it waits for you in your session.",
            "Kleine Ernten, ehrliche Kannen. Leg etwas in den Warenkorb: Er wartet in deiner Sitzung auf dich.",
        ],
    ),
    ("add", ["Add to cart", "In den Korb"]),
    ("added", ["In your cart: {}", "Im Warenkorb: {}"]),
    ("cart_full", ["No more than 99 of: {}", "Nicht mehr als 99 von: {}"]),
    // The cart.
    ("cart_empty", ["Your cart is empty.", "Dein Warenkorb ist leer."]),
    ("to_shelf", ["To the shelf", "Zum Regal"]),
    ("product", ["Product", "Artikel"]),
    ("count", ["Number", "Anzahl"]),
    ("price", ["Price", "Preis"]),
    ("update", ["Update", "Ändern"]),
    ("remove", ["Remove", "Entfernen"]),
    ("total", ["Total", "Summe"]),
    ("order_now", ["Place order", "Bestellen"]),
    (
        "order_hint",
        [
            "If you are not signed in, we ask for that first and bring you back here.",
            "Wer nicht angemeldet ist, wird erst danach gefragt und kommt hierher zurück.",
        ],
    ),
    ("count_range", ["A number from 0 to 99, please.", "Bitte eine Zahl von 0 bis 99."]),
    ("ordered", ["Thank you! Your order is noted.", "Danke! Die Bestellung ist notiert."]),
    // Signing in.
    (
        "sign_in_first",
        [
            "Please sign in first; then we continue where you wanted to go.",
            "Bitte erst anmelden; dann geht es dort weiter, wo du hinwolltest.",
        ],
    ),
    ("email", ["E-mail", "E-Mail"]),
    ("password", ["Password", "Passwort"]),
    ("remember", ["Keep me signed in for 30 days", "30 Tage angemeldet bleiben"]),
    ("demo_account", ["Demo account", "Demokonto"]),
    ("email_missing", ["Please enter your e-mail address.", "Bitte gib deine E-Mail-Adresse ein."]),
    ("email_malformed", ["This is not an e-mail address.", "Das ist keine E-Mail-Adresse."]),
    ("password_missing", ["Please enter your password.", "Bitte gib dein Passwort ein."]),
    (
        "credentials",
        ["This e-mail and password do not belong together.", "E-Mail und Passwort passen nicht zusammen."],
    ),
    ("errors_found", ["Please check the marked fields.", "Bitte sieh die markierten Felder durch."]),
    ("signed_in", ["Welcome, {}!", "Willkommen, {}!"]),
    (
        "session_ended",
        [
            "This session was ended. Sign in again, or just look around.",
            "Diese Sitzung wurde beendet. Melde dich neu an, oder sieh dich einfach um.",
        ],
    ),
    ("signed_out", ["You are signed out.", "Du bist abgemeldet."]),
    // Orders.
    ("orders_none", ["No orders yet.", "Noch keine Bestellungen."]),
    ("ordered_at", ["Ordered", "Bestellt"]),
    ("items", ["Items", "Stück"]),
    // The account and the step up to it.
    ("address_title", ["Delivery address", "Lieferadresse"]),
    (
        "address_more",
        [
            "Only you should change where your parcels go, so this page wants to know now and then that it is still you.",
            "Wohin deine Pakete gehen, sollst nur du ändern. Deshalb fragt diese Seite ab und zu, ob du es noch bist.",
        ],
    ),
    ("street", ["Street and number", "Straße und Hausnummer"]),
    ("city", ["City", "Ort"]),
    ("save", ["Save", "Speichern"]),
    ("address_saved", ["The address is saved.", "Die Adresse ist gespeichert."]),
    ("address_missing", ["This is needed for the parcel.", "Das braucht das Paket."]),
    ("address_long", ["At most 80 characters, please.", "Bitte höchstens 80 Zeichen."]),
    ("confirm_title", ["Is it still you?", "Bist du es noch?"]),
    (
        "confirm_more",
        [
            "You signed in a while ago. Please confirm your password to go on.",
            "Deine Anmeldung ist eine Weile her. Bitte bestätige dein Passwort, dann geht es weiter.",
        ],
    ),
    ("confirm", ["Confirm", "Bestätigen"]),
    ("password_wrong", ["This is not your password.", "Das ist nicht dein Passwort."]),
    // Devices.
    ("devices_title", ["Your devices", "Deine Geräte"]),
    (
        "devices_more",
        [
            "Wherever you are signed in. A device that you end is signed out with its next click.",
            "Überall, wo du angemeldet bist. Ein Gerät, das du beendest, ist mit dem nächsten Klick abgemeldet.",
        ],
    ),
    ("this_device", ["this device", "dieses Gerät"]),
    ("device_bound", ["bound", "gebunden"]),
    ("since", ["since", "seit"]),
    ("last_seen", ["last seen", "zuletzt"]),
    ("end_device", ["End", "Beenden"]),
    ("end_others", ["End all others", "Alle anderen beenden"]),
    ("device_ended", ["The device is signed out.", "Das Gerät ist abgemeldet."]),
    ("device_gone", ["That device was signed out already.", "Das Gerät war schon abgemeldet."]),
    ("devices_ended", ["Other devices signed out: {}", "Andere Geräte abgemeldet: {}"]),
    ("devices_not", ["Not in this placement", "Nicht an diesem Ort"]),
    (
        "devices_why",
        [
            "Your session lives in the cookie of your browser and nowhere else, so the shop has no list to show. Start it with SESSION_DRIVER=memory or file to see this page at work.",
            "Deine Sitzung liegt im Cookie deines Browsers und sonst nirgends; der Laden hat also keine Liste. Starte ihn mit SESSION_DRIVER=memory oder file, dann zeigt diese Seite, was sie kann.",
        ],
    ),
    // The binding to the device.
    ("security", ["Security", "Sicherheit"]),
    ("security_title", ["Is this session worth stealing?", "Lohnt es sich, diese Sitzung zu stehlen?"]),
    (
        "security_more",
        [
            "If your session is bound to this browser, a copy of its cookies is worthless a few minutes later: the shop asks for a new proof, and only the browser with the key can give it.",
            "Ist deine Sitzung an diesen Browser gebunden, so ist eine Kopie ihrer Cookies nach wenigen Minuten wertlos: Der Laden verlangt einen neuen Beweis, und nur der Browser mit dem Schlüssel kann ihn geben.",
        ],
    ),
    ("bound_yes", ["This session is bound", "Diese Sitzung ist gebunden"]),
    ("bound_badge", ["to this browser", "an diesen Browser"]),
    (
        "bound_yes_more",
        [
            "Your browser made a key when you signed in, and keeps it to itself.",
            "Dein Browser hat bei der Anmeldung einen Schlüssel erzeugt und behält ihn für sich.",
        ],
    ),
    ("bound_since", ["Bound since", "Gebunden seit"]),
    ("bound_next", ["Next proof, at the latest", "Nächster Beweis, spätestens"]),
    ("bound_in", ["in {} s", "in {} s"]),
    ("bound_due", ["with your next click", "mit dem nächsten Klick"]),
    ("bound_no", ["This session is not bound", "Diese Sitzung ist nicht gebunden"]),
    (
        "bound_no_more",
        [
            "Your browser has registered no key. Either it is about to, or it does not know Device Bound Session Credentials; then your session works as it does elsewhere.",
            "Dein Browser hat keinen Schlüssel angemeldet. Entweder tut er es gleich, oder er kennt Device Bound Session Credentials nicht; dann ist deine Sitzung wie überall sonst.",
        ],
    ),
    ("bound_off", ["Bindings are switched off", "Bindungen sind ausgeschaltet"]),
    (
        "bound_off_more",
        ["They need HTTPS. Start the shop with:", "Sie brauchen HTTPS. Starte den Laden mit:"],
    ),
    ("look_again", ["Look again", "Noch einmal nachsehen"]),
    ("proofs", ["The last proofs", "Die letzten Beweise"]),
    ("proof_at", ["Time", "Zeit"]),
    ("proof_result", ["Result", "Ergebnis"]),
    ("proof_accepted", ["accepted", "angenommen"]),
    ("seen", ["What the shop has seen", "Was der Laden gesehen hat"]),
    (
        "seen_more",
        [
            "The last events, from all browsers. Copy the cookies into another one, wait, and find it here.",
            "Die letzten Ereignisse, von allen Browsern. Kopiere die Cookies in einen anderen, warte, und du findest ihn hier.",
        ],
    ),
    ("seen_what", ["What happened", "Was geschah"]),
    ("seen_event", ["Event", "Ereignis"]),
    ("seen_bound", ["A session was bound", "Eine Sitzung wurde gebunden"]),
    ("seen_proved", ["A browser proved its key", "Ein Browser bewies seinen Schlüssel"]),
    ("seen_unproven", ["A request without proof: a stranger", "Eine Anfrage ohne Beweis: fremd"]),
    ("seen_refused", ["A proof was refused", "Ein Beweis wurde abgelehnt"]),
    (
        "session_unproven",
        [
            "This browser did not prove that it is the one that signed in. Please sign in again.",
            "Dieser Browser hat nicht bewiesen, dass er es ist, der sich angemeldet hat. Bitte melde dich neu an.",
        ],
    ),
    // Inside.
    (
        "inside_more",
        [
            "Everything that this shop remembers about you, as it is stored. Each line below is one call on the session.",
            "Alles, was der Laden sich über dich merkt, so wie es gespeichert ist. Jede Zeile ist ein Aufruf an der Sitzung.",
        ],
    ),
    ("values", ["Values", "Werte"]),
    ("facts", ["Facts", "Fakten"]),
    ("yes", ["yes", "ja"]),
    ("no", ["no", "nein"]),
    ("none", ["none", "keine"]),
    // What went wrong.
    ("back_home", ["Back to the shelf", "Zurück zum Regal"]),
    (
        "401",
        [
            "You are not signed in. Please sign in and send the form again.",
            "Du bist nicht angemeldet. Bitte melde dich an und sende das Formular noch einmal.",
        ],
    ),
    ("404", ["This page does not exist.", "Diese Seite gibt es nicht."]),
    (
        "419",
        [
            "This form is out of date, or it did not come from this shop. Please go back, reload and try again.",
            "Das Formular ist veraltet oder kam nicht von diesem Laden. Bitte geh zurück, lade neu und versuch es noch einmal.",
        ],
    ),
    ("422", ["We do not sell that.", "Das verkaufen wir nicht."]),
    ("500", ["Something broke on our side.", "Bei uns ist etwas kaputtgegangen."]),
    (
        "503",
        [
            "This does not work at the moment. Please try again.",
            "Das geht gerade nicht. Bitte versuch es noch einmal.",
        ],
    ),
];
