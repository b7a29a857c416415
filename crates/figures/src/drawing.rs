//! A finished figure: SVG text, PNG bytes, or a file.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use kuva::backend::svg::SvgBackend;
use kuva::render::render::Scene;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};

use crate::FigureError;
use eigensweep_inputs::whole_file;
use eigensweep_store::StoreError;

/// A drawing, with what could not be shown.
#[derive(Debug)]
pub struct Drawing {
    scene: Scene,
    label: String,
    notes: Vec<String>,
    hints: Vec<String>,
}

/// Most pixels of an image: 400 MB of them.
const MOST_PIXELS: f64 = 1e8;

impl Drawing {
    pub(crate) fn new(scene: Scene, label: String, notes: Vec<String>, hints: Vec<String>) -> Self {
        Self { scene, label, notes, hints }
    }

    /// The drawing as SVG text. The same figure gives the same bytes.
    #[must_use]
    pub fn svg(&self) -> String {
        let svg = SvgBackend::new().with_pretty(true).render_scene(&self.scene);
        let label = self.label.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let (width, height) = (self.scene.width, self.scene.height);
        svg.replacen(
            "<svg ",
            &format!("<svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\" "),
            1,
        )
    }

    /// The drawing as SVG text for a page with others: what names its parts (`panel-1`) has a
    /// digest of the drawing in it, so that only the same drawing has the same names.
    #[must_use]
    pub fn svg_in_page(&self) -> String {
        let svg = self.svg();
        let digest = &blake3::hash(svg.as_bytes()).to_hex()[..8];
        ["id=\"", "url(#"].into_iter().fold(svg, |svg, before| {
            svg.replace(&format!("{before}panel-"), &format!("{before}panel-{digest}-"))
        })
    }

    /// The SVG as a PNG image, `scale` pixels per pixel.
    ///
    /// # Errors
    ///
    /// [`FigureError::Figure`] if the image would have no pixels, or more than 10⁸.
    pub fn png(&self, scale: f32) -> Result<Vec<u8>, FigureError> {
        let failed =
            |reason: String| FigureError::Figure { reason: format!("the image cannot be made: {reason}") };
        let mut fonts = fontdb::Database::new();
        for font in [dejavu::sans::regular(), dejavu::sans::bold()] {
            fonts.load_font_source(fontdb::Source::Binary(Arc::new(font)));
        }
        let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
        let tree = Tree::from_str(&self.svg(), &options).map_err(|error| failed(error.to_string()))?;
        let pixels =
            f64::from(tree.size().width()) * f64::from(tree.size().height()) * f64::from(scale).powi(2);
        if pixels > MOST_PIXELS {
            return Err(failed(format!(
                "{pixels:.1e} pixels are more than {MOST_PIXELS:.0e}: take a smaller scale"
            )));
        }
        let size = tree.size().to_int_size().scale_by(scale);
        let image = size.and_then(|size| Pixmap::new(size.width(), size.height()));
        let mut image = image.ok_or_else(|| failed("it has no pixels".to_owned()))?;
        resvg::render(&tree, Transform::from_scale(scale, scale), &mut image.as_mut());
        image.encode_png().map_err(|error| failed(error.to_string()))
    }

    /// Writes the drawing to a file that ends in `.svg` or `.png`; it appears whole or not at all.
    ///
    /// # Errors
    ///
    /// [`FigureError::Extension`], [`FigureError::Figure`] or [`FigureError::Store`].
    pub fn save(&self, path: &Path, png_scale: f32) -> Result<(), FigureError> {
        let bytes = match path.extension().and_then(|extension| extension.to_str()) {
            Some("svg") => self.svg().into_bytes(),
            Some("png") => self.png(png_scale)?,
            _ => return Err(FigureError::Extension { path: path.to_path_buf(), allowed: ".svg or .png" }),
        };
        let written = whole_file::write(path, |file| file.write_all(&bytes));
        Ok(written.map_err(StoreError::from)?)
    }

    /// What the reader should know: values that are not shown, choices that were made.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What else could be drawn, and how to ask for it.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// What the figure shows, in a line.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }
}
