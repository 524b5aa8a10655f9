-- What a piece of evidence looks like: a graph as SVG, packed.
ALTER TABLE evidence ADD COLUMN drawing BLOB;
