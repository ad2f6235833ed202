//! QR codes as rows of modules, for the window to draw.

use landfall_client::screen::QrPicture;
use qrcode::{Color, QrCode};

/// Draws `text`; no rows when it is too long for any QR code.
pub fn draw(text: &str) -> QrPicture {
    let Ok(code) = QrCode::new(text) else { return QrPicture { rows: Vec::new() } };
    let row = |colors: &[Color]| colors.iter().map(|color| color.select('#', '.')).collect();
    QrPicture { rows: code.to_colors().chunks(code.width()).map(row).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_square_and_has_its_finder_patterns() {
        let rows = draw("lf1.abc").rows;
        assert!(rows.iter().all(|row| row.len() == rows.len()));
        assert!(rows[0].starts_with("#######.") && rows[0].ends_with(".#######"));
        assert!(rows[rows.len() - 1].starts_with("#######."));
    }

    #[test]
    fn what_no_code_can_hold_is_no_picture() {
        assert!(draw(&"x".repeat(10_000)).rows.is_empty());
    }
}
