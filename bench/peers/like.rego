# LIKE of the attribute rack of each offer, as a list of booleans.
package peers

fits := [regex.match(`^(?:rack-[0-2][0-9]-row[0-5])$`, object.get(offer.attributes, "rack", "")) | some offer in input.offers]
