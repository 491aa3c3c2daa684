package village

// What the dice choose from. A choice listed twice is drawn twice as often.
var (
	noms = []string{
		"Martin", "Bernard", "Thomas", "Petit", "Robert", "Richard", "Durand", "Dubois", "Moreau", "Laurent", "Simon", "Michel",
		"Lefèvre", "Leroy", "Roux", "David", "Bertrand", "Morel", "Fournier", "Girard", "Bonnet", "Dupont", "Lambert", "Fontaine",
		"Rousseau", "Vincent", "Müller", "Faure", "André", "Mercier", "Blanc", "Guérin", "Boyer", "Garnier", "Chevalier", "François",
		"Legrand", "Gauthier", "Garcia", "Perrin", "Robin", "Clément", "Morin", "Nicolas", "Henry", "Roussel", "Mathieu", "Gautier",
		"Masson", "Marchand", "Duval", "Denis", "Dumont", "Marie", "Lemaire", "Noël", "Meyer", "Dufour", "Meunier", "Brun", "Blanchard",
		"Giraud", "Joly", "Rivière", "Lucas", "Brunet", "Gaillard", "Barbier", "Arnaud", "Martinez", "Gérard", "Roche", "Renard",
		"Schmitt", "Roy", "Le Goff", "Colin", "Vidal", "Caron", "Picard", "Da Silva", "N'Diaye", "Benali", "Nguyen", "Œuvrard",
	}
	prenoms = []string{
		"Jean", "Marie", "Philippe", "Nathalie", "Michel", "Isabelle", "Alain", "Sylvie", "Patrick", "Catherine", "Nicolas", "Martine",
		"Christophe", "Christine", "Pierre", "Françoise", "Christian", "Valérie", "Éric", "Sandrine", "Frédéric", "Stéphanie", "Laurent",
		"Véronique", "Stéphane", "Sophie", "David", "Céline", "Pascal", "Chantal", "Daniel", "Aurélie", "Hélène", "Julien", "Camille",
		"Thomas", "Léa", "Lucas", "Chloé", "Hugo", "Zoé", "Noémie", "Maël", "Anaïs", "Loïc", "Inès", "Jérôme", "Gaëlle", "Karim", "Mei",
	}
	voies = []string{
		"rue de la République", "place de l'Église", "rue du Moulin", "chemin des Vignes", "rue des Tilleuls", "route de Nemours",
		"impasse du Lavoir", "rue de la Fontaine", "allée des Marronniers", "rue Saint-Martin", "chemin du Gué", "rue des Écoles",
		"sente des Prés", "rue du Général Leclerc", "route de Fontainebleau", "rue de la Mairie", "chemin de Halage", "rue du Four à Pain",
		"cour de la Ferme", "rue des Acacias", "rue Neuve", "ruelle aux Loups", "rue du Château", "avenue de la Gare", "chemin de la Butte",
		"rue des Lilas", "quai du Loing", "rue Jean Jaurès", "rue Pasteur", "impasse des Noyers", "rue du Puits", "chemin des Sablons",
		"rue Victor Hugo", "place du Marché", "rue des Carrières", "chemin de la Messe", "rue du Stade", "allée du Verger",
		"route de Souppes", "rue de l'Abreuvoir", "rue des Champs", "clos des Roses", "rue du 8 Mai 1945", "rue Marie Curie",
	}
	residences = []string{"Résidence des Tilleuls", "Résidence du Loing", "Les Jardins de Brissy", "Le Clos Saint-Martin", "Résidence du Parc", "Les Terrasses"}
	commerces  = []string{"Boulangerie", "Pharmacie", "Garage", "Café-restaurant", "Coiffure", "Boucherie", "Menuiserie", "Cabinet vétérinaire"}
	fermes     = []string{"GAEC", "EARL", "Ferme", "Pépinières"}
	lieux      = []string{"de la Plaine", "du Grand Bois", "des Trois Ormes", "de la Genevraye", "du Haut Loing", "des Coteaux"}
	secteurs   = []string{"Bourg", "Bourg", "Bourg", "Hameaux", "Hameaux", "Gare"}
	fabricants = []string{"D", "I", "S", "Z"}
	personnes  = []int64{1, 1, 2, 2, 2, 3, 3, 4, 4, 5}
	modes      = []string{"PRELEVEMENT", "PRELEVEMENT", "PRELEVEMENT", "PRELEVEMENT", "VIREMENT", "VIREMENT", "CHEQUE", "CHEQUE", "CARTE", "ESPECES"}
)
