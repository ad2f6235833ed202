//! A page to be printed: text that wraps, boxes and lines, in points from the top left.
//!
//! The page is A4. What stands on it keeps so far from its edges that a printer with Letter paper, which
//! is wider and 50 points lower, cuts nothing either.

use crate::failure::Failure;
use krilla::Document;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::surface::Surface;
use krilla::text::{Font, TextDirection};
use landfall_protocol::ErrorCode;
use ttf_parser::Face;
use zeroize::Zeroizing;

/// A4 in points.
const SIZE: (f32, f32) = (595.28, 841.89);
/// Left, right: what is printed lies between them.
pub(super) const LEFT: f32 = 56.0;
pub(super) const RIGHT: f32 = SIZE.0 - LEFT;
/// The first base line. Letter cuts 25 points off either end of A4, printers 18 more; the tests read what is
/// left.
pub(super) const TOP: f32 = 70.0;

/// Atkinson Hyperlegible: made so that 0 and O, 1, l and I cannot be confused.
const REGULAR: &[u8] = include_bytes!("../../assets/fonts/next-regular.ttf");
const BOLD: &[u8] = include_bytes!("../../assets/fonts/next-bold.ttf");
const MONO: &[u8] = include_bytes!("../../assets/fonts/mono-medium.ttf");

/// A face and its measures.
pub(super) struct Type {
    font: Font,
    face: Face<'static>,
}

impl Type {
    fn load(bytes: &'static [u8]) -> Result<Self, Failure> {
        let face = Face::parse(bytes, 0).map_err(|_| broken())?;
        let font = Font::new(bytes.into(), 0).ok_or_else(broken)?;
        Ok(Self { font, face })
    }

    /// How wide a text is at this size.
    fn width(&self, text: &str, size: f32) -> f32 {
        let advance = |c| {
            let glyph = self.face.glyph_index(c)?;
            self.face.glyph_hor_advance(glyph)
        };
        let units: u32 = text.chars().filter_map(advance).map(u32::from).sum();
        units as f32 * size / f32::from(self.face.units_per_em())
    }
}

/// The three faces of a sheet.
pub(super) struct Types {
    pub(super) regular: Type,
    pub(super) bold: Type,
    pub(super) mono: Type,
}

/// Somewhere on the page: a base line, and where lines begin and end.
#[derive(Clone, Copy)]
pub(super) struct Column {
    pub(super) left: f32,
    pub(super) right: f32,
    pub(super) y: f32,
}

/// A page while it is drawn.
pub(super) struct Paper<'a, 'b> {
    types: &'a Types,
    surface: Surface<'b>,
}

/// Makes a document of one page.
///
/// # Errors
/// `internal` when something of it cannot be made.
pub(super) fn print(
    title: String,
    draw: impl FnOnce(&mut Paper<'_, '_>, &Types),
) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let types =
        Types { regular: Type::load(REGULAR)?, bold: Type::load(BOLD)?, mono: Type::load(MONO)? };
    let mut document = Document::new();
    document.set_metadata(Metadata::new().title(title).language("en".to_owned()));
    let settings = PageSettings::from_wh(SIZE.0, SIZE.1).ok_or_else(broken)?;
    let mut page = document.start_page_with(settings);
    {
        let mut paper = Paper { types: &types, surface: page.surface() };
        draw(&mut paper, &types);
        paper.surface.finish();
    }
    page.finish();
    document.finish().map(Zeroizing::new).map_err(|_| broken())
}

impl Paper<'_, '_> {
    /// One line from `left`.
    pub(super) fn line(&mut self, kind: &Type, size: f32, (x, y): (f32, f32), text: &str) {
        let at = Point::from_xy(x, y);
        self.surface.draw_text(
            at,
            kind.font.clone(),
            size,
            text,
            false,
            TextDirection::LeftToRight,
        );
    }

    /// Text that wraps between words; what stands between backticks is set as something typed. The
    /// column's base line is that of the next line afterwards.
    pub(super) fn text(&mut self, size: f32, column: &mut Column, text: &str) {
        let types = self.types;
        let mut x = column.left;
        for (place, piece) in text.split('`').enumerate() {
            let kind = if place % 2 == 1 { &types.mono } else { &types.regular };
            for word in piece.split_inclusive(' ') {
                let shown = word.trim_end();
                if x > column.left && x + kind.width(shown, size) > column.right {
                    x = column.left;
                    column.y += size * LEADING;
                }
                self.line(kind, size, (x, column.y), shown);
                x += kind.width(word, size);
            }
        }
        column.y += size * LEADING;
    }

    /// A text of one face that breaks behind any of `after`, or where the line is full.
    pub(super) fn broken_line(
        &mut self,
        size: f32,
        column: &mut Column,
        text: &str,
        after: &[char],
    ) {
        let types = self.types;
        let room = column.right - column.left;
        let mut rest = text;
        while !rest.is_empty() {
            let fits = |end: &usize| types.mono.width(&rest[..*end], size) <= room;
            let ends = || rest.char_indices().map(|(at, c)| at + c.len_utf8());
            let full = ends().take_while(fits).last().unwrap_or_else(|| ends().next().unwrap_or(0));
            let cut = match full == rest.len() {
                true => full,
                false => rest[..full].rfind(after).map_or(full, |at| at + 1),
            };
            let (now, later) = rest.split_at(cut);
            self.line(&types.mono, size, (column.left, column.y), now);
            column.y += size * LEADING;
            rest = later;
        }
    }

    /// A filled box.
    pub(super) fn dark(&mut self, left: f32, top: f32, width: f32, height: f32) {
        let mut path = PathBuilder::new();
        if let Some(rect) = Rect::from_xywh(left, top, width, height) {
            path.push_rect(rect);
        }
        if let Some(path) = path.finish() {
            self.surface.draw_path(&path);
        }
    }

    /// The outline of a box to be ticked.
    pub(super) fn tick_box(&mut self, left: f32, top: f32, size: f32) {
        self.dark(left, top, size, HAIR);
        self.dark(left, top + size - HAIR, size, HAIR);
        self.dark(left, top, HAIR, size);
        self.dark(left + size - HAIR, top, HAIR, size);
    }
}

/// From one base line to the next, in sizes.
const LEADING: f32 = 1.4;
/// The width of a line that is drawn.
pub(super) const HAIR: f32 = 0.6;

fn broken() -> Failure {
    Failure::new(ErrorCode::Internal, "The sheet could not be made as a PDF. Take the HTML one.")
}
