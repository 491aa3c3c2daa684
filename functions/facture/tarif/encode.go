package tarif

import "strconv"

// appendError writes the answer to a case that has no price.
func appendError(dst []byte, id string, code Code) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendString(dst, id)
	dst = append(dst, `,"erreur":`...)
	dst = appendString(dst, string(code))
	return append(dst, '}')
}

func appendControle(dst []byte, c *Controle) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendString(dst, c.ID)
	dst = appendInt(dst, `,"part_fixe_ue":`, c.PartFixeUe)
	dst = appendInt(dst, `,"variable_120_ue":`, c.Variable120Ue)
	dst = append(dst, `,"conforme":`...)
	dst = strconv.AppendBool(dst, c.Conforme)
	return append(dst, '}')
}

func appendResultat(dst []byte, r *Resultat) []byte {
	dst = append(dst, `{"id":`...)
	dst = appendString(dst, r.ID)
	dst = appendInt(dst, `,"volume_eau_litres":`, r.VolumeEauLitres)
	dst = appendInt(dst, `,"volume_assainissement_litres":`, r.VolumeAssainissementLitres)
	dst = append(dst, `,"anormale":`...)
	dst = strconv.AppendBool(dst, r.Anormale)
	dst = append(dst, `,"lignes":[`...)
	for i := range r.Lignes {
		l := &r.Lignes[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"rubrique":`...)
		dst = appendString(dst, string(l.Rubrique))
		dst = append(dst, `,"code":`...)
		dst = appendString(dst, l.Code)
		dst = appendInt(dst, `,"litres":`, l.Litres)
		dst = appendInt(dst, `,"jours":`, l.Jours)
		dst = appendInt(dst, `,"ht_centimes":`, l.HTCentimes)
		dst = appendInt(dst, `,"tva_pm":`, l.TVAPm)
		dst = append(dst, '}')
	}
	dst = append(dst, `],"tva":[`...)
	for i, t := range r.TVA {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendInt(dst, `{"taux_pm":`, t.TauxPm)
		dst = appendInt(dst, `,"base_centimes":`, t.BaseCentimes)
		dst = appendInt(dst, `,"montant_centimes":`, t.MontantCentimes)
		dst = append(dst, '}')
	}
	dst = append(dst, ']')
	dst = appendInt(dst, `,"ht_centimes":`, r.HTCentimes)
	dst = appendInt(dst, `,"tva_centimes":`, r.TVACentimes)
	dst = appendInt(dst, `,"ttc_centimes":`, r.TTCCentimes)
	return append(dst, '}')
}

// appendInt writes a key, given with all that stands before its number, and the number.
func appendInt(dst []byte, key string, x int64) []byte {
	return strconv.AppendInt(append(dst, key...), x, 10)
}

// appendString writes s, which is UTF-8, in quotes.
func appendString(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(append(dst, s[start:i]...), '\\', c)
			start = i + 1
		case c < ' ':
			dst = append(append(dst, s[start:i]...), '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
			start = i + 1
		}
	}
	return append(append(dst, s[start:]...), '"')
}
