//! QR codes made of characters.

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// The text as a QR code, two squares a character; `None` when it is too long for one. Drawn with
/// dark squares on a light ground whatever the terminal's colours are.
pub fn qr(text: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let drawn = code
        .render::<Dense1x2>()
        .quiet_zone(true)
        .dark_color(Dense1x2::Dark)
        .light_color(Dense1x2::Light)
        .build();
    // Light is the drawn colour: on a dark terminal it shows as it must, and black on white is forced
    // for the others.
    let lines = drawn.lines().map(|line| format!("\u{1b}[97;40m{line}\u{1b}[0m"));
    Some(lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_fits_and_a_book_does_not() {
        assert!(qr(&"lf1.x".repeat(100)).is_some());
        assert!(qr(&"x".repeat(3000)).is_none());
    }
}
