//! QR codes made of characters.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// A QR code as lines of characters.
pub struct Drawn {
    /// The lines.
    pub text: String,
    /// How many columns each of them takes.
    pub columns: usize,
}

/// The text as a QR code, two squares a character; `None` when it is too long for one. Drawn with
/// dark squares on a light ground whatever the terminal's colours are.
pub fn qr(text: &str) -> Option<Drawn> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let drawn = code
        .render::<Dense1x2>()
        .quiet_zone(true)
        .dark_color(Dense1x2::Dark)
        .light_color(Dense1x2::Light)
        .build();
    // Light is the drawn colour: on a dark terminal it shows as it must, and black on white is forced
    // for the others.
    let columns = drawn.lines().map(|line| line.chars().count()).max()?;
    let lines = drawn.lines().map(|line| format!("\u{1b}[97;40m{line}\u{1b}[0m"));
    Some(Drawn { text: lines.collect::<Vec<_>>().join("\n"), columns })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_fits_and_a_book_does_not() {
        let code = qr(&"lf1.x".repeat(100)).unwrap();
        assert!(code.columns > 80, "and it says how wide it is");
        assert!(
            code.text
                .lines()
                .all(|line| line.chars().count() == code.columns + "\u{1b}[97;40m\u{1b}[0m".len())
        );
        assert!(qr(&"x".repeat(3000)).is_none());
    }
}
